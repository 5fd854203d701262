{#- A product's name is its schema; on DuckDB it is its database file instead, and the schema is `main`, since
    a file and a schema of one name are ambiguous there.
    These stand in the umbrella only: one copy per product makes dbt parse five times as long. -#}

{% macro generate_schema_name(custom_schema_name, node) -%}
  {%- if custom_schema_name is not none -%}
    {{ custom_schema_name | trim }}
  {%- elif target.type == 'duckdb' -%}
    main
  {%- else -%}
    {{ node.package_name }}
  {%- endif -%}
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
