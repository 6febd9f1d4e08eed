def Pair (n : Nat) : Prop := ∃ m, m < n ∧ n = m + m

theorem pair_iff (n : Nat) : Pair n ↔ 0 < n ∧ n % 2 = 0 :=
  ⟨fun ⟨m, h, k⟩ => by omega, fun ⟨h, k⟩ => ⟨n / 2, by omega, by omega⟩⟩

instance (n : Nat) : Decidable (Pair n) := decidable_of_iff' _ (pair_iff n)

theorem pair_six : decide (Pair 6) = true := by decide
