"""Coupons: discounts, and to whom they are given (pricing §16)."""
