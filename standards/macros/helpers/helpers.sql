{% macro text_literal(text) -%}
  {{- adapter.dispatch('text_literal', 'standards')(text | string) -}}
{%- endmacro %}

{% macro default__text_literal(text) -%}
  '{{ text | replace("'", "''") }}'
{%- endmacro %}

{#- In these engines a backslash escapes, too. -#}
{% macro snowflake__text_literal(text) -%}
  '{{ text | replace("\\", "\\\\") | replace("'", "''") }}'
{%- endmacro %}

{% macro bigquery__text_literal(text) -%}
  '{{ text | replace("\\", "\\\\") | replace("'", "\\'") | replace("\n", "\\n") | replace("\r", "\\r") }}'
{%- endmacro %}

{% macro spark__text_literal(text) -%}
  '{{ text | replace("\\", "\\\\") | replace("'", "\\'") }}'
{%- endmacro %}

{#- The comment stands inside the parentheses: there sqlglot attaches it to the expression itself, whatever follows. -#}
{% macro marked(sql, anonymiser) -%}
  ({{ sql | trim }} /* anonymiser: {{ anonymiser }} */)
{%- endmacro %}

{% macro text_list(texts) -%}
  {%- for text in texts -%}
    {{- standards.text_literal(text) }}{{ ', ' if not loop.last -}}
  {%- endfor -%}
{%- endmacro %}

{% macro as_list(value) %}
  {{ return([value] if value is string else value | list) }}
{% endmacro %}

{#- A list of names means the same name on both sides, a mapping our name to theirs. -#}
{% macro as_pairs(value) %}
  {%- if value is mapping -%}
    {{ return(value.items() | list) }}
  {%- endif -%}
  {%- set pairs = [] -%}
  {%- for name in standards.as_list(value) -%}
    {%- do pairs.append((name, name)) -%}
  {%- endfor -%}
  {{ return(pairs) }}
{% endmacro %}
