{% test iso_country(model, column_name) -%}
select {{ column_name }} as unknown_country
from {{ model }}
where {{ column_name }} not in ({{ standards.text_list(standards.iso_country_codes()) }})
{%- endtest %}
