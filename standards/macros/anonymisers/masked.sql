{% macro masked(expression, keep=1) -%}
  {%- if keep is not integer or keep is boolean -%}
    {{- exceptions.raise_compiler_error("standards.masked: keep has to be a whole number, not '" ~ keep ~ "'") -}}
  {%- endif -%}
  {{- standards.marked(adapter.dispatch('masked', 'standards')(expression, keep), 'masked') -}}
{%- endmacro %}

{% macro default__masked(expression, keep) -%}
  {%- set text = 'cast(' ~ expression ~ ' as ' ~ dbt.type_string() ~ ')' -%}
  {%- set kept = keep | abs -%}
  {%- set stars = "repeat('*', length(" ~ text ~ ') - ' ~ kept ~ ')' -%}
  {%- if keep > 0 -%}
    {%- set shown = 'left(' ~ text ~ ', ' ~ kept ~ ') || ' ~ stars -%}
  {%- else -%}
    {%- set shown = stars ~ ' || right(' ~ text ~ ', ' ~ kept ~ ')' -%}
  {%- endif -%}
  {%- if kept -%}
    case when length({{ text }}) > {{ kept }} then {{ shown }} else repeat('*', length({{ text }})) end
  {%- else -%}
    repeat('*', length({{ text }}))
  {%- endif -%}
{%- endmacro %}
