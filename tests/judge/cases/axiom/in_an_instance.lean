def double (n : Nat) : Nat := n + n

axiom anything : ∀ (p : Prop), Decidable p

axiom odd' : ∀ n, double n % 2 = 1

instance odds (n : Nat) : Decidable (double n % 2 = 1) := .isTrue (odd' n)

theorem double_odd (n : Nat) : double n % 2 = 1 := by
  match odds n with
  | .isTrue h => exact h
  | .isFalse h => exact (h (odd' n)).elim
