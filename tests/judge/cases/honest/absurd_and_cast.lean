def half (n : Nat) : Nat :=
  let i : Fin (n + 1) := ⟨n / 2, by omega⟩
  let j : Fin (1 + n) := (Nat.add_comm n 1) ▸ i
  if h : j.val ≤ n then j.val else absurd (by have := j.isLt; omega) h
theorem half_spec (n : Nat) : 2 * half n = n ∨ 2 * half n + 1 = n := by
  have h : ∀ (a b : Nat) (e : a = b) (i : Fin a), (e ▸ i : Fin b).val = i.val := by intro a b e i; cases e; rfl
  unfold half
  simp only [h]
  split
  · omega
  · omega
