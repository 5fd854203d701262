{#- Rows that share a place in the order are one step: they are compared with the steps beside them, not with each
    other. -#}
{% test monotonic(model, column_name, order_by, key=[], strict=false) -%}
  {%- set keys = standards.as_list(key) -%}
with steps as (
    select
  {%- for column in keys %}
        {{ column }} as key_{{ loop.index }},
  {%- endfor %}
        {{ order_by }} as place,
        min({{ column_name }}) as lowest,
        max({{ column_name }}) as highest
    from {{ model }}
    where {{ column_name }} is not null
        and {{ order_by }} is not null
  {%- for column in keys %}
        and {{ column }} is not null
  {%- endfor %}
    group by {{ range(1, keys | length + 2) | join(', ') }}
),

compared as (
    select
        steps.*,
        lag(highest) over (
  {%- if keys %}
            partition by {% for _ in keys %}key_{{ loop.index }}{{ ', ' if not loop.last }}{% endfor %}
  {%- endif %}
            order by place
        ) as highest_before
    from steps
)

select *
from compared
where lowest {{ '<=' if strict else '<' }} highest_before
{%- endtest %}
