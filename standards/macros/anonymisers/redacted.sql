{% macro redacted(expression, replacement='redacted', data_type=none) -%}
  {%- if replacement is none and data_type is none -%}
    {{- exceptions.raise_compiler_error('standards.redacted: name a data_type where there is no replacement') -}}
  {%- elif replacement is not none and data_type is not none -%}
    {{- exceptions.raise_compiler_error(
        'standards.redacted: a data_type belongs to `replacement=none`; a replacement is text'
    ) -}}
  {%- endif -%}
  {{- standards.marked(adapter.dispatch('redacted', 'standards')(expression, replacement, data_type), 'redacted') -}}
{%- endmacro %}

{% macro default__redacted(expression, replacement, data_type) -%}
  {%- if replacement is none -%}
    cast(null as {{ data_type }})
  {%- else -%}
    case when ({{ expression }}) is not null then {{ standards.text_literal(replacement) }} end
  {%- endif -%}
{%- endmacro %}
