{#- The one place that says which country belongs to which sales region. Spellings are those of the products and of
    ISO 3166; upper and lower case and spaces around a name make no difference. -#}
{% macro sales_regions() %}
  {{ return({
      'uk_and_ireland': ['United Kingdom', 'Channel Islands', 'Ireland', 'EIRE'],
      'europe': [
          'Austria', 'Belgium', 'Cyprus', 'Czech Republic', 'Czechia', 'Denmark', 'European Community', 'Finland',
          'France', 'Germany', 'Greece', 'Iceland', 'Italy', 'Lithuania', 'Malta', 'Netherlands', 'Norway', 'Poland',
          'Portugal', 'Spain', 'Sweden', 'Switzerland',
      ],
      'americas': ['Brazil', 'Canada', 'USA', 'United States', 'United States of America'],
      'asia_pacific': ['Australia', 'Hong Kong', 'Japan', 'Singapore'],
      'middle_east_and_africa': [
          'Bahrain', 'Israel', 'Lebanon', 'RSA', 'Saudi Arabia', 'South Africa', 'United Arab Emirates',
      ],
  }) }}
{% endmacro %}

{% macro sales_region(country) -%}
  case
  {%- for region, countries in standards.sales_regions().items() %}
        when lower(trim({{ country }})) in ({{ standards.text_list(countries | map('lower')) }}) then {{ standards.text_literal(region) }}
  {%- endfor %}
        else 'unassigned'
    end
{%- endmacro %}
