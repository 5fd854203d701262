{% macro rejection_reason(rules) -%}
  {%- if rules is string or rules is mapping or rules is not iterable or not rules -%}
    {{- exceptions.raise_compiler_error('standards.rejection_reason: rules has to be a list of {when: ..., reason: ...}') -}}
  {%- endif -%}
  {%- for rule in rules if rule is not mapping or not rule.when or not rule.reason or rule | length != 2 -%}
    {{- exceptions.raise_compiler_error(
        'standards.rejection_reason: a rule has a `when` and a `reason` and nothing else, not ' ~ rule
    ) -}}
  {%- endfor -%}
  case
  {%- for rule in rules %}
        when {{ rule.when }} then {{ standards.text_literal(rule.reason) }}
  {%- endfor %}
    end
{%- endmacro %}
