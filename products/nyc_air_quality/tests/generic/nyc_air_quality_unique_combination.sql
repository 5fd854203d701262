{#- A combination of columns stands in one row only. -#}
{% test nyc_air_quality_unique_combination(model, combination) %}

select {{ combination | join(', ') }}
from {{ model }}
group by {{ combination | join(', ') }}
having count(*) > 1

{% endtest %}
