def Pair (n : Nat) : Prop := ∃ m, m < n ∧ n = m + m
open Classical in
noncomputable instance (n : Nat) : Decidable (Pair n) := propDecidable _
theorem pair_six : decide (Pair 6) = true := decide_eq_true ⟨3, by decide, rfl⟩
