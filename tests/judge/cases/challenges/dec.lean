def Pair (n : Nat) : Prop := ∃ m, m < n ∧ n = m + m

instance (n : Nat) : Decidable (Pair n) := sorry

theorem pair_six : decide (Pair 6) = true := sorry
