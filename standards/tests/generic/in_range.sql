{% test in_range(model, column_name, min=none, max=none, min_inclusive=true, max_inclusive=true) -%}
  {%- if min is none and max is none -%}
    {{- exceptions.raise_compiler_error('standards.in_range on ' ~ column_name ~ ': name min, max or both') -}}
  {%- endif -%}
  {%- set outside = [] -%}
  {%- if min is not none -%}
    {%- do outside.append(column_name ~ (' < ' if min_inclusive else ' <= ') ~ min) -%}
  {%- endif -%}
  {%- if max is not none -%}
    {%- do outside.append(column_name ~ (' > ' if max_inclusive else ' >= ') ~ max) -%}
  {%- endif -%}
select {{ column_name }} as value_out_of_range
from {{ model }}
where {{ outside | join(' or ') }}
{%- endtest %}
