{# A key that puts Vietnamese names in the order of the alphabet: marks are nothing, đ follows d. #}
{% macro alphabetical(text) -%}
    replace(
        translate(
            lower({{ text }}),
            'àáảãạăằắẳẵặâầấẩẫậèéẻẽẹêềếểễệìíỉĩịòóỏõọôồốổỗộơờớởỡợùúủũụưừứửữựỳýỷỹỵ',
            'aaaaaaaaaaaaaaaaaeeeeeeeeeeeiiiiiooooooooooooooooouuuuuuuuuuuyyyyy'
        ),
        'đ',
        'dzz'
    )
{%- endmacro %}
