{#- No weeks: engines disagree about the day on which one begins. -#}
{% macro truncated_date(expression, part='month') -%}
  {%- set parts = ['year', 'quarter', 'month'] -%}
  {%- if part not in parts -%}
    {{- exceptions.raise_compiler_error(
        "standards.truncated_date: part has to be one of " ~ parts | join(', ') ~ ", not '" ~ part ~ "'"
    ) -}}
  {%- endif -%}
  {{- standards.marked(adapter.dispatch('truncated_date', 'standards')(expression, part), 'truncated_date') -}}
{%- endmacro %}

{% macro default__truncated_date(expression, part) -%}
  cast({{ dbt.date_trunc(part, expression) | trim }} as date)
{%- endmacro %}
