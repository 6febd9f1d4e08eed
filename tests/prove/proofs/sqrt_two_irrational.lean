theorem descent (p : Nat) : ∀ q, 0 < q → p * p ≠ 2 * (q * q) := by
  induction p using Nat.strongRecOn with
  | ind p ih =>
    intro q hq h
    have heven : p % 2 = 0 := by
      rcases Nat.mod_two_eq_zero_or_one p with h0 | h1
      · exact h0
      · have h2 : p * p % 2 = 0 := by
          rw [h]
          exact Nat.mul_mod_right 2 _
        rw [Nat.mul_mod, h1] at h2
        exact absurd h2 (by decide)
    obtain ⟨k, rfl⟩ : ∃ k, p = 2 * k := ⟨p / 2, by omega⟩
    have e := Nat.mul_mul_mul_comm 2 k 2 k
    have hk : q * q = 2 * (k * k) := by omega
    have hpos := Nat.mul_pos hq hq
    have hk0 : 0 < k := by
      rcases Nat.eq_zero_or_pos k with rfl | hk0
      · omega
      · exact hk0
    have hlt : q < 2 * k := by
      apply Nat.lt_of_not_le
      intro hle
      have := Nat.mul_le_mul hle hle
      omega
    exact ih q hlt k hk0 hk

theorem sqrt_two_irrational (p q : Nat) (hq : 0 < q) : p * p ≠ 2 * (q * q) := descent p q hq
