{#- An interval overlaps an earlier one if it begins before the latest end so far, or while one is open. -#}
{% test no_overlap(model, key, valid_from, valid_to) -%}
  {%- set keys = standards.as_list(key) -%}
  {%- if not keys -%}
    {{- exceptions.raise_compiler_error('standards.no_overlap: name the key whose intervals must not overlap') -}}
  {%- endif -%}
  {%- set earlier -%}
over (
            partition by {% for _ in keys %}key_{{ loop.index }}{{ ', ' if not loop.last }}{% endfor %}
            order by begins, ends
            rows between unbounded preceding and 1 preceding
        )
  {%- endset -%}
with intervals as (
    select
  {%- for column in keys %}
        {{ column }} as key_{{ loop.index }},
  {%- endfor %}
        {{ valid_from }} as begins,
        {{ valid_to }} as ends
    from {{ model }}
    where {{ valid_from }} is not null
  {%- for column in keys %}
        and {{ column }} is not null
  {%- endfor %}
),

compared as (
    select
        intervals.*,
        max(ends) {{ earlier }} as latest_end,
        max(case when ends is null then 1 else 0 end) {{ earlier }} as one_is_open
    from intervals
    where ends is null or begins < ends
)

select
    compared.*,
    'overlaps an earlier interval' as reason
from compared
where begins < latest_end or one_is_open = 1

union all

select
    intervals.*,
    null as latest_end,
    null as one_is_open,
    'ends before it begins' as reason
from intervals
where ends < begins
{%- endtest %}
