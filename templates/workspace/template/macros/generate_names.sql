{#- A product's name is its schema, and on DuckDB its database file too (docs/architecture.md, section 7).
    These stand in the umbrella only: one copy per product makes dbt parse five times as long. -#}

{% macro generate_schema_name(custom_schema_name, node) -%}
  {{ (custom_schema_name or node.package_name) | trim }}
{%- endmacro %}

{% macro generate_database_name(custom_database_name=none, node=none) -%}
  {%- if custom_database_name is not none -%}
    {{ custom_database_name | trim }}
  {%- elif target.type == 'duckdb' and node is not none and node.package_name != 'mesh' -%}
    {{ node.package_name }}
  {%- else -%}
    {{ target.database }}
  {%- endif -%}
{%- endmacro %}
