theorem zero_both (n : Nat) : n + 0 = n ∧ 0 + n = n := ⟨rfl, inner n⟩
where
  inner (m : Nat) : 0 + m = m := by omega

theorem zero_left (n : Nat) : 0 + n = n := (zero_both n).2
