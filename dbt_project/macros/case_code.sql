{#
    One form for all spellings of a case code (circular 01/2018, article 19): agency, day of receipt, serial as a number.

    The full code names the agency from the lowest level up (000.23.32.H51), the short one from the province down
    (H51.32.23): both become the short one without levels that are nought. Serials are numbers whatever their digits
    (0001, 00001, 0000001). Codes of older software are one number. Letters, dashes and blanks are as intake leaves
    them. No other equation of agencies is made: whether H51.23 is 000.23.32.H51 too, only the office can say
    (mart case_findings, kind `same_case_other_agency`).
#}
{% macro canonical_case_code(code) -%}
    case
        when {{ code }} not like '%-%' then {{ without_zeros(code) }}
        else
            trim(trailing '.' from
                case
                    when split_part({{ code }}, '-', 1) like '___.__.__.___' and substr({{ code }}, 1, 1) <= '9'
                        then
                            substr({{ code }}, 11, 3)
                            || '.' || {{ without_zeros('substr(' ~ code ~ ', 8, 2)') }}
                            || '.' || {{ without_zeros('substr(' ~ code ~ ', 5, 2)') }}
                            || '.' || {{ without_zeros('substr(' ~ code ~ ', 1, 3)') }}
                    else
                        split_part(split_part({{ code }}, '-', 1), '.', 1)
                        {%- for place in [2, 3, 4] %}
                        || '.' || {{ without_zeros("split_part(split_part(" ~ code ~ ", '-', 1), '.', " ~ place ~ ")") }}
                        {%- endfor %}
                end
            )
            || '-' || split_part({{ code }}, '-', 2)
            || '-' || {{ without_zeros("split_part(" ~ code ~ ", '-', 3)") }}
    end
{%- endmacro %}

{% macro without_zeros(digits) -%}trim(leading '0' from {{ digits }}){%- endmacro %}

{#
    Whether a procedure is answered at once, so that it needs no appointment (decree 61/2018, article 17.4): its limit,
    the shortened one where there is one, says "ngay", "trong ngày" or no day at all, and names no number of days.
#}
{% macro answered_at_once(limit_vi) -%}
    coalesce(
        {{ matches_pattern(
            'lower(' ~ limit_vi ~ ')', '(^|[^\p{L}])(ngay|trong (cùng )?ngày|trong buổi)($|[^\p{L}])|^\s*0+ ngày'
        ) }}
        and not {{ matches_pattern(
            'lower(' ~ limit_vi ~ ')',
            '([1-9][0-9]*|một|hai|ba|bốn|năm|sáu|bảy|tám|chín|mười)[^\p{L}0-9]*(ngày|tháng|tuần|năm)'
            ~ '|^\s*(trong )?ngày làm việc tiếp'
        ) }},
        false
    )
{%- endmacro %}
