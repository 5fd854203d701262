{% test iso_currency(model, column_name) -%}
select {{ column_name }} as unknown_currency
from {{ model }}
where {{ column_name }} not in ({{ standards.text_list(standards.iso_currency_codes()) }})
{%- endtest %}
