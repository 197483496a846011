"""The books as they should be: an independent account of everybody's money, kept beside the programs.

`exchange.Ledger` holds all books of one exchange, and the few ways in which money moves between them. The rules are
functions over that ledger, a module for each subject. Every rule either raises `rules.Refused` before it changes
anything, or books the outcome; most return what the program's event must say. Field names are those of the accounts on
chain, so that the two can be compared name by name.

| module | subject |
|---|---|
| `rules` | refusals, and the codes and limits of the programs |
| `books` | one book for each account |
| `exchange` | the books together, the pause in force, how money moves |
| `margins` | collateral: into and out of free margin, into and out of positions |
| `liquidity` | the pool: requests of its providers, and the marks that their execution takes |
| `borrowing` | the borrow fee |
| `orders` | orders committed and cancelled, by whom |
| `fills` | the end of an order: its sample, its price, its position |
| `liquidation` | prices fresh enough for margin, and positions short of it |
| `settlement` | final and void windows, challenges, payouts, fees |
"""
