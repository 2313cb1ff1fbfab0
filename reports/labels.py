"""Words and numbers as the pages show them: the Chinese term beside the English one."""

from decimal import ROUND_HALF_UP, Decimal

KINDS = {
    "final": ("Final", "正式"),
    "provisional": ("Provisional", "预考核"),
    "reassessment": ("Re-assessed", "复核"),
}
SCORING = {
    "linear_to_target": ("linear to target", "按完成率计分"),
    "ladder": ("by ladder", "分档计分"),
    "points_per_unit": ("points per unit", "按件计分"),
    "qualitative": ("scored by hand", "主管评分"),
}
MISSING = {
    "no_value": ("no value", "无数据"),
    "too_few_cases": ("too few cases", "样本不足"),
    "no_target": ("no target", "未下达目标"),
    "zero_target": ("target of zero", "目标为零"),
}
SUBJECTS = {
    "account": ("Account", "账户"),
    "customer": ("Customer", "客户"),
    "loan": ("Loan", "借据"),
    "trade": ("Trade", "交易"),
    "card": ("Card", "卡片"),
    "score": ("Score", "评分"),
}
GRADES = {
    "junior": ("junior", "初级"),
    "middle": ("middle", "中级"),
    "senior": ("senior", "高级"),
    "chief": ("chief", "首席"),
}
UNITS = {"CNY": "元", "count": "", "ratio": "", "points": "分"}


def rounded(value: Decimal, decimals: int) -> Decimal:
    """Half up, as the rules do (四舍五入)."""
    return value.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)


def figure(value: Decimal | None, unit: str, decimals: int = 2) -> str:
    """A value in its unit: whole yuan with separators, ratios in per cent, counts with as many decimals as needed."""
    if value is None:
        return "–"
    if unit == "ratio":
        return percent(value)
    if unit == "CNY":
        return f"{rounded(value, 0):,}"
    text = f"{rounded(value, decimals):,}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def percent(value: Decimal | None, decimals: int = 1) -> str:
    """A ratio in per cent."""
    return "–" if value is None else f"{rounded(value * 100, decimals)}%"


def points(value: Decimal | None, decimals: int = 2) -> str:
    """Points or scores."""
    return "–" if value is None else f"{rounded(value, decimals)}"
