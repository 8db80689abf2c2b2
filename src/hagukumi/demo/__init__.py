"""A believable company to look at: ひなた計測株式会社 sells monitoring for factory machines. No tables of its own.

`company.build` lays the definitions, `people` invents the 300 companies and their staff, `story` lets a year pass.
"""
