axiom odd_one : Nat → Nat
opaque double (n : Nat) : Nat

theorem double_odd (n : Nat) : double n % 2 = 1 := sorry
