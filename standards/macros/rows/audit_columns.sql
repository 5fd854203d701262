{% macro audit_columns() -%}
  {%- if execute and model.resource_type == 'model' and model.config.materialized in ('view', 'ephemeral', 'materialized_view') -%}
    {{- exceptions.raise_compiler_error(
        'standards.audit_columns: ' ~ model.name ~ ' is materialized as ' ~ model.config.materialized
        ~ ', which loads no rows; make it a table, or incremental'
    ) -}}
  {%- endif -%}
  {%- set loader = model.package_name ~ '.' ~ model.name ~ ('.v' ~ model.version if model.version) -%}
  {{ adapter.dispatch('run_time', 'standards')() }} as loaded_at, cast({{ standards.text_literal(loader) }} as {{ dbt.type_string() }}) as loaded_by
{%- endmacro %}

{#- The moment that a run began, as ISO 8601. It is asked for only where SQL is about to run: dbt then takes it for no
    input of the parsed project, and the factory, which looks for `env_var` with a name in quotes, for none of the
    product. A clock that has moved on is no reason to load again. -#}
{% macro run_time_text() -%}
  {%- set name = 'SOURCE_DATE_EPOCH' -%}
  {%- set seconds = env_var(name, '') | trim -%}
  {%- if seconds and not (seconds | string).isdigit() -%}
    {{- exceptions.raise_compiler_error(name ~ " has to be whole seconds since 1970, not '" ~ seconds ~ "'") -}}
  {%- endif -%}
  {%- set moment = modules.datetime.datetime.fromtimestamp(seconds | int, modules.pytz.utc) if seconds else run_started_at -%}
  {{- moment.astimezone(modules.pytz.utc).strftime('%Y-%m-%d %H:%M:%S.%f') }}+00:00
{%- endmacro %}

{% macro default__run_time() -%}
  cast('{{ standards.run_time_text() if execute else '1970-01-01 00:00:00+00:00' }}' as {{ standards.type_moment() }})
{%- endmacro %}

{#- A variable of the session keeps the time out of compiled SQL, and so lineage and contracts the same from run to
    run. dbt compiles and runs a node on one connection. -#}
{% macro duckdb__run_time() -%}
  {%- if execute -%}
    {%- do run_query("set variable standards_loaded_at = '" ~ standards.run_time_text() ~ "'") -%}
  {%- endif -%}
  cast(getvariable('standards_loaded_at') as timestamp with time zone)
{%- endmacro %}

{% macro type_moment() -%}
  {{- adapter.dispatch('type_moment', 'standards')() -}}
{%- endmacro %}

{% macro default__type_moment() -%}
  timestamp with time zone
{%- endmacro %}

{% macro snowflake__type_moment() -%}
  timestamp_tz
{%- endmacro %}

{#- Both keep a moment in UTC under this name. -#}
{% macro bigquery__type_moment() -%}
  timestamp
{%- endmacro %}

{% macro spark__type_moment() -%}
  timestamp
{%- endmacro %}
