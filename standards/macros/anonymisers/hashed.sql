{#- The profile that `factory sync` writes sets the session variable from env_var('DBT_ENV_SECRET_SALT'), so that
    the salt is in no compiled SQL. -#}
{% macro hashed(expression) -%}
  {%- if execute and model.resource_type == 'model' and model.config.materialized in ('view', 'materialized_view') -%}
    {{- exceptions.raise_compiler_error(
        'standards.hashed: ' ~ model.name ~ ' is materialized as ' ~ model.config.materialized
        ~ ', and whoever reads it would need the salt; make it a table, or incremental'
    ) -}}
  {%- endif -%}
  {{- standards.marked(adapter.dispatch('hashed', 'standards')(expression), 'hashed') -}}
{%- endmacro %}

{% macro default__hashed(expression) -%}
  {{- exceptions.raise_compiler_error(
      'standards.hashed does not know where ' ~ adapter.type() ~ ' keeps a secret salt: write the macro ' ~ adapter.type()
      ~ '__hashed(expression) in the umbrella, and name the umbrella before standards in the search_order of `dispatch`'
  ) -}}
{%- endmacro %}

{#- The salt's own hash always has 64 characters, so no character can move between salt and value. -#}
{% macro duckdb__hashed(expression) -%}
  {%- set given = "nullif(trim(cast(getvariable('factory_salt') as varchar)), '')" -%}
  {%- set missing = "error('set DBT_ENV_SECRET_SALT to a secret text: standards.hashed hashes nothing without a salt')" -%}
  sha256(sha256(coalesce({{ given }}, {{ missing }})) || cast({{ expression }} as varchar))
{%- endmacro %}
