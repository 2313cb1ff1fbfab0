"""Every number and share that shapes the simulated world, in one place, each with its source.

Marks as in the requirements: [V] read in a public source, [K] general knowledge, [?] regional, so a parameter.
Money is in CNY unless a name says fen (cents).
"""

from __future__ import annotations

from datetime import date

DEFAULT_SEED = 20261101
DEFAULT_SCALE = 0.01
HISTORY_START = date(2025, 10, 1)
HISTORY_END = date(2026, 10, 31)
DAILY_DATES = (date(2026, 11, 1), date(2026, 11, 2), date(2026, 11, 3))
HORIZON_DAYS = 61  # masters are generated this far beyond the history, so that more daily dates change no earlier row

# --- Scale (DESIGN 'Scale'; figures at scale 1) ---
PARTIES = 100_000
MANAGERS = 2_000
SERVICE_POINTS = 38_000
LOAD_CURVE_POINTS = 500
PERSON_SHARE = 0.90

# --- Which party is known to which source ---
SHARE_IN_BANK = 0.92
SHARE_PERSON_CREDIT_CARD = 0.42
SHARE_PERSON_DEBIT_CARD = 0.75
SHARE_CARD_ONLY = 0.02  # cardholders who keep no account at the bank
SHARE_GRID_PERSON = 0.34
SHARE_GRID_FIRM = 0.46
SHARE_SECOND_CUSTOMER_NUMBER = 0.03  # one person, two customer numbers
NEW_CUSTOMER_SHARE_A_YEAR = 0.10

# --- Identity and data quality as held by the sources [domain E5, rate hints] ---
IDENTITY_MIX = {
    # share of persons whose row carries: the 15-digit form, a wrong check digit, no id, another document, lower-case x
    "core_banking": {"id15": 0.010, "wrong_check": 0.005, "missing": 0.010, "passport": 0.010, "lower_x": 0.005},
    "card": {"id15": 0.008, "wrong_check": 0.004, "missing": 0.015, "passport": 0.010, "lower_x": 0.005},
    "grid_billing": {"id15": 0.020, "wrong_check": 0.008, "missing": 0.080, "passport": 0.004, "lower_x": 0.010},
}
USCC_AS_OLD_LICENCE = {"core_banking": 0.02, "card": 0.02, "grid_billing": 0.05}  # [domain E5: 2-5 %]
PLACEHOLDER_PHONE_SHARE = {"core_banking": 0.01, "card": 0.01, "grid_billing": 0.03}  # [domain E5: 1-3 %]
PLACEHOLDER_PHONES = ("13800000000", "13800138000", "11111111111")
OTHER_PHONE_SHARE = {"core_banking": 0.0, "card": 0.10, "grid_billing": 0.25}
OTHER_ADDRESS_SHARE = {"core_banking": 0.0, "card": 0.15, "grid_billing": 0.30}
NAME_VARIANT_SHARE = {"core_banking": 0.002, "card": 0.01, "grid_billing": 0.04}
# What all sources of a party share of it: a valid number, name and phone, name and address, nothing usable.
TIE_MIX = (0.35, 0.40, 0.20, 0.05)
MISTYPED_SHARE = 0.11  # of those outside core banking without a valid number: 4 % of all customers
PASSPORT_SHARE = 0.03
KIN_SHARE = 0.02  # twins or spouses at one address
DEAD_SHARE = 0.01  # holders who died while their relations go on
RECYCLED_PHONE_SHARE = 0.08  # of those outside core banking who are not known by their phone: 3 % of all customers
COMPANY_PHONE_SHARE = 0.03
LANDLORD_SHARE = 0.03  # of the grid's persons: the contract is the landlord's, the premises are the tenant's home
RENAMED_FIRM_SHARE = 0.03
PHONE_PREFIX_SHARE = 0.02
TRADITIONAL_NAME_SHARE = 0.01
RARE_CHARACTER_SHARE = 0.004  # names with a character outside GBK but inside GB18030 [domain E3]
COMPOUND_SURNAME_SHARE = 0.003
MINORITY_NAME_SHARE = 0.004  # name·father's name, U+00B7
BORN_ELSEWHERE_SHARE = 0.35

# --- Changes of masters per year ---
MOVE_SHARE = 0.05
PHONE_CHANGE_SHARE = 0.08
LEVEL_CHANGE_SHARE = 0.15
STATUS_CHANGE_SHARE = 0.02
MANAGER_TRANSFER_SHARE = 0.06
SUPPORTING_MANAGER_SHARE = 0.12

# --- Accounts ---
SECOND_CLASS_ACCOUNT_SHARE = 0.24  # class II [domain C1]
TIME_DEPOSIT_SHARE = 0.27
CORPORATE_GENERAL_SHARE = 0.35
CORPORATE_TIME_SHARE = 0.20
ACCOUNT_CLOSE_SHARE_A_YEAR = 0.02
POSTINGS_A_MONTH = {
    "personal_demand": 8.4,
    "class_two": 3.0,
    "corporate_basic": 26.0,
    "corporate_general": 12.0,
    "loan_settlement": 2.0,
}
MEDIAN_MONTHLY_INCOME = 8_500  # CNY
AFTER_CUT_OFF_SHARE = 0.02  # when the day ends says the contract of the posting
REVERSAL_SHARE = 0.0015
DEMAND_RATE_PER_CENT = 0.05  # yearly, actual/360, credited on the 21st of Mar, Jun, Sep, Dec [domain C4]
TIME_RATES_PER_CENT = {3: 0.65, 6: 0.85, 12: 0.95, 24: 1.05, 36: 1.25}
INTEREST_MONTHS = (3, 6, 9, 12)
INTEREST_DAY = 21
YEAR_END_ADJUSTMENT_SHARE = 0.05  # of corporate accounts, posted on 31 December [domain F3]

# --- Foreign currency ---
EXCHANGE_RATES = {
    # units, CNY for them at the begin, daily standard deviation of the logarithm
    "USD": (1, 7.10, 0.0008),
    "EUR": (1, 8.30, 0.0030),
    "HKD": (1, 0.913, 0.0008),
    "JPY": (100, 4.80, 0.0035),
}  # [K]
FOREIGN_CURRENCIES = ("USD", "HKD", "EUR", "USD", "JPY")  # of accounts, in turn
FOREIGN_FIRM_SHARE = 0.08
FOREIGN_PERSON_SHARE = 0.01
FOREIGN_POSTINGS_A_MONTH = 6.0  # of a firm

# --- Cash pools [?] ---
CASH_POOL_SHARE = 0.15  # of groups
POOL_HEADER_FEN = 500_000_000_00
POOL_TARGET_FEN = 1_000_000_00
POOL_FLOW_FEN = 800_000_00
POOL_ACTIVE_DAY_SHARE = 0.4

# --- Loans ---
LOAN_SHARES = {
    "mortgage": 0.10,
    "consumer": 0.07,
    "vehicle": 0.03,
    "personal_business": 0.03,
    "working_capital": 0.30,
    "fixed_asset": 0.10,
}
LOAN_TYPES_OF_PERSONS = ("mortgage", "consumer", "vehicle", "personal_business")
LOAN_APPLICATION_DAYS = 60  # before the payment nobody has applied, and the customer is one already
LOAN_RATE_PER_CENT = {
    "mortgage": 3.45,
    "consumer": 4.35,
    "vehicle": 3.95,
    "personal_business": 4.05,
    "working_capital": 3.85,
    "fixed_asset": 4.20,
}
DELINQUENT_SHARE = 0.05
PENALTY_FACTOR = 1.5  # contract rate + 50 % [domain C4: 30-50 %]
FIVE_CLASS_DAYS = ((361, "loss"), (271, "doubtful"), (91, "substandard"), (31, "special_mention"))  # [domain C5]

# --- Cards ---
TEST_BIN = "629999"  # clearly unassigned [domain D4]
CREDIT_POSTINGS_A_MONTH = 9.0
DEBIT_POSTINGS_A_MONTH = 1.9
CARD_INTEREST_A_DAY = 0.0005  # [domain D1]
MINIMUM_PAYMENT_SHARE = 0.10
LATE_FEE_SHARE = 0.05
FRAUD_SHARE = 0.0008
DECLINED_SHARE = 0.02
PAYER_MIX = {"full": 0.76, "revolver": 0.19, "delinquent": 0.05}
DUE_AFTER_DAYS = 20

# --- Wealth ---
WEALTH_CUSTOMER_SHARE = 0.22
WEALTH_BUYS_A_MONTH = 0.35

# --- Service ---
CONTACTS_A_MANAGER_DAY = 1.6
LEADS_A_MANAGER_MONTH = 3.0
SYSTEM_USE_A_DAY = {"core": 0.95, "securities": 0.18, "wealth_support": 0.55, "pbcs": 0.45, "crm": 0.6}  # of managers
SYSTEM_RELEASE_MONTHS = 3  # a release of each system every so many months
QUEUE_TICKETS_AN_OUTLET_DAY = 7.0
COMPLAINTS_A_YEAR_PER_CUSTOMER = 0.03

# --- Who takes customers' data down [CTL-04: 电子银行、客户经理、网点高低柜] ---
CAPTURE_CHANNELS = {
    "core_banking": {
        "low_counter": 0.38,
        "high_counter": 0.15,
        "customer_manager": 0.17,
        "mobile_bank": 0.25,
        "net_bank": 0.05,
    },
    "card": {"low_counter": 0.30, "customer_manager": 0.15, "mobile_bank": 0.45, "hotline": 0.10},
    "grid_billing": {"grid_counter": 0.55, "grid_app": 0.35, "customer_manager": 0.10},
    "retail": {"customer_manager": 0.80, "counter": 0.20},
}
ELECTRONIC_CAPTURE = ("mobile_bank", "net_bank", "grid_app")

# --- Financial statements of firms ---
SALES_A_MONTH = 300_000  # CNY of a firm of size 1; tax, electricity and exports of service.py belong to it
OVERSTATING_SHARE = 0.12
OVERSTATED_BY = (1.6, 3.0)
STATEMENT_VERIFIED_SHARE = 0.6

# --- Services that customers sign for, accounts for guarantees ---
GUARANTEE_ACCOUNT_SHARE = 0.1  # of the general accounts of firms; every second one is kept for the customs
SERVICE_SHARES = {
    "firm": {"ST02": 0.7, "ST03": 0.2, "ST04": 0.5, "ST05": 0.15, "ST06": 0.25, "ST08": 0.1, "ST10": 0.3},
    "person": {"ST07": 0.08, "ST09": 0.02},
}
SERVICE_SIGNED_WITHIN_DAYS = 900  # of the begin of the relation
SERVICE_ACTIVATED_SHARE = 0.85
SERVICE_ENDED_SHARE = 0.05

# --- Grid (tariffs: domain A4 Zhejiang, A2/A3 samples) ---
TIME_OF_USE_SHARE_HOUSEHOLDS = 0.45
RESIDENTIAL_KWH_A_DAY = 7.2
ESTIMATED_SHARE = 0.008
METER_CHANGE_SHARE_A_YEAR = 0.012
ROLL_OVER_SHARE = 0.01  # meters whose register starts near its modulus
CANCEL_REBILL_SHARE = 0.004
LATE_UPLOAD_SHARE = 0.06  # of records taken down in the field, uploaded days later
FIELD_PAPER_SHARE = 0.04  # taken down on paper and typed in later
STAGE_WAITING_SHARE = 0.3  # of stages of connection projects that begin a day or two after the one before
STAGE_PAUSED_SHARE = 0.04
DESIGN_REJECTED_SHARE = 0.25  # of design documents submitted
LEADER_PROJECT_KVA = 1_000  # projects from this capacity, and green-channel ones, have a leader (领导挂钩)
LEADER_RULE_KEPT_SHARE = 0.8
FUND_PRICE = {
    "residential": 0,
    "agricultural": 0,
    "commercial_single_part": 2_900_000,
    "commercial_two_part": 2_900_000,
}  # CNY per kWh in 1e-8 [domain A6, worked bill 0.029]
LATE_FEE_RATE = {"residential": 1_000, "other": 2_000}  # share a day in 1e-6: 1 and 2 per mille [domain A10]
BILL_CHANNELS_BANKED = {
    "bank_debit": 0.42,
    "mobile_bank": 0.22,
    "bank_counter": 0.03,
    "third_party": 0.23,
    "grid_app": 0.08,
    "grid_counter": 0.02,
}
BILL_CHANNELS_OTHERS = {"third_party": 0.62, "grid_app": 0.30, "grid_counter": 0.08}
LATE_PAYER_SHARE = 0.05
UNPAID_SHARE = 0.006
BILL_DUE_DAYS = 18  # [domain A10: 10-25 days]

# --- Consents (PIPL art. 13; shares as agreed for the demonstration) ---
MATCHING_BASIS_SHARE = 0.62
SHARE_GRID_TO_BANK = 0.30
SHARE_BANK_TO_GRID = 0.22
WITHDRAWN_SHARE = 0.08

# --- Calendar effects ---
SPRING_FESTIVAL = {
    2026: (date(2026, 2, 15), date(2026, 2, 23)),
    2025: (date(2025, 1, 28), date(2025, 2, 4)),
    2027: (date(2027, 2, 5), date(2027, 2, 12)),
}  # [domain F1]
SPRING_FESTIVAL_LOAD = {
    "residential": 1.10,
    "agricultural": 0.8,
    "commercial_single_part": 0.55,
    "commercial_two_part": 0.45,
}  # [domain F2: industry -30 to -60 %]
SEASON = {
    "residential": (1.15, 1.05, 0.85, 0.75, 0.80, 1.00, 1.50, 1.55, 1.10, 0.75, 0.80, 1.10),
    "agricultural": (0.7, 0.7, 0.9, 1.1, 1.2, 1.4, 1.3, 1.2, 1.0, 0.9, 0.8, 0.7),
    "commercial_single_part": (1.05, 0.95, 0.90, 0.88, 0.95, 1.10, 1.30, 1.32, 1.10, 0.92, 0.92, 1.05),
    "commercial_two_part": (1.02, 0.90, 1.00, 0.98, 1.00, 1.05, 1.12, 1.12, 1.04, 1.00, 1.02, 1.05),
}

# --- Retail distributor: a tobacco county [000 L161-168]; figures at scale 1 ---
RETAILERS = 2_000
RETAILERS_A_MANAGER = 100
RETAILER_CASES_A_WEEK = 0.1  # 大箱: 25,000 a year over some 5,000 shops [KPI-06]
RETAIL_SEASON = (1.35, 0.95, 0.90, 0.90, 0.95, 0.95, 0.95, 0.95, 1.10, 1.10, 0.90, 1.00)
RETAIL_PLAN_OF_EXPECTED = 0.98
RETAIL_BRAND_ORDERED_SHARE = 0.6  # of the brands, in one order
RETAILER_VISITS_A_DAY = 0.05
RETAIL_COUNTED_SHARE = 0.1  # of the brands ordered, counted in the shop on that day
