{#
    100 * numerator / denominator, rounded half up to two decimals, as decimal(18, 4). Whole-number arithmetic
    throughout, so no figure depends on how a machine rounds doubles. Null where either is null or the denominator is 0.
    Numerator and denominator are whole numbers or decimals with up to four decimals, not negative.
#}
{% macro percent(numerator, denominator) %}
    cast(
        cast(
            {{ whole_quotient(
                '20000 * ' ~ scaled(numerator) ~ ' + ' ~ scaled(denominator),
                'nullif(2 * ' ~ scaled(denominator) ~ ', 0)'
            ) }} as decimal(18, 0)
        ) * 0.01 as decimal(18, 4)
    )
{% endmacro %}

{% macro scaled(number) %}cast(cast({{ number }} as decimal(18, 4)) * 10000 as {{ wide_integer() }}){% endmacro %}
