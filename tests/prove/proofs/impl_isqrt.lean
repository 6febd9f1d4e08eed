namespace Isqrt

/-- Largest `r` with `r * r ≤ n`. -/
def isqrt (n : Nat) : Nat :=
  match n with
  | 0 => 0
  | m + 1 =>
    let r := isqrt m
    if (r + 1) * (r + 1) ≤ m + 1 then r + 1 else r

theorem next_square (t : Nat) : (t + 1) * (t + 1) = t * t + 2 * t + 1 := by
  rw [Nat.add_mul, Nat.mul_add]
  omega

theorem isqrt_spec (n : Nat) :
    isqrt n * isqrt n ≤ n ∧ n < (isqrt n + 1) * (isqrt n + 1) := by
  induction n with
  | zero => exact ⟨Nat.le_refl 0, Nat.one_pos⟩
  | succ m ih =>
    obtain ⟨h1, h2⟩ := ih
    by_cases h : (isqrt m + 1) * (isqrt m + 1) ≤ m + 1
    · have e : isqrt (m + 1) = isqrt m + 1 := if_pos h
      rw [e]
      have := next_square (isqrt m + 1)
      exact ⟨h, by omega⟩
    · have e : isqrt (m + 1) = isqrt m := if_neg h
      rw [e]
      exact ⟨by omega, by omega⟩

end Isqrt
