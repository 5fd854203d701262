{#- Both sides become one set of rows before they are compared: so a group that one side lacks is found, and NULL is a
    group like any other. -#}
{% test reconciles_with(
    model, to, sums=[], group_by=[], row_count=true, tolerance=0, row_tolerance=0, to_where=none
) -%}
  {%- set sums = standards.as_pairs(sums) -%}
  {%- set groups = standards.as_pairs(group_by) -%}
  {%- if not row_count and not sums -%}
    {{- exceptions.raise_compiler_error('standards.reconciles_with: with `row_count: false` name the sums to compare') -}}
  {%- endif -%}
  {%- set positions = range(1, groups | length + 1) | join(', ') -%}
  {%- set different = [] -%}
  {%- if row_count -%}
    {%- do different.append('abs(own_rows - other_rows) > ' ~ row_tolerance) -%}
  {%- endif -%}
  {%- for _ in sums -%}
    {%- do different.append('abs(own_sum_' ~ loop.index ~ ' - other_sum_' ~ loop.index ~ ') > ' ~ tolerance) -%}
  {%- endfor -%}
with measured as (
    select
  {%- for own, _ in groups %}
        {{ own }} as group_{{ loop.index }},
  {%- endfor %}
        count(*) as own_rows,
        0 as other_rows
  {%- for own, _ in sums -%}
        ,
        coalesce(sum({{ own }}), 0) as own_sum_{{ loop.index }},
        0 as other_sum_{{ loop.index }}
  {%- endfor %}
    from {{ model }}
  {%- if groups %}
    group by {{ positions }}
  {%- endif %}

    union all

    select
  {%- for _, other in groups %}
        {{ other }} as group_{{ loop.index }},
  {%- endfor %}
        0 as own_rows,
        count(*) as other_rows
  {%- for _, other in sums -%}
        ,
        0 as own_sum_{{ loop.index }},
        coalesce(sum({{ other }}), 0) as other_sum_{{ loop.index }}
  {%- endfor %}
    from {{ to }}
  {%- if to_where %}
    where {{ to_where }}
  {%- endif %}
  {%- if groups %}
    group by {{ positions }}
  {%- endif %}
),

compared as (
    select
  {%- for _ in groups %}
        group_{{ loop.index }},
  {%- endfor %}
        sum(own_rows) as own_rows,
        sum(other_rows) as other_rows
  {%- for _ in sums -%}
        ,
        sum(own_sum_{{ loop.index }}) as own_sum_{{ loop.index }},
        sum(other_sum_{{ loop.index }}) as other_sum_{{ loop.index }}
  {%- endfor %}
    from measured
  {%- if groups %}
    group by {{ positions }}
  {%- endif %}
)

select *
from compared
where {{ different | join('\n    or ') }}
{%- endtest %}
