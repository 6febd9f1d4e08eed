def half (n : Nat) : Nat := (Nat.rec (motive := fun _ => Nat × Bool) (0, false) (fun _ p => if p.2 then (p.1 + 1, false) else (p.1, true)) n).1
theorem half_spec (n : Nat) : 2 * half n = n ∨ 2 * half n + 1 = n := by
  have : ∀ n, 2 * (Nat.rec (motive := fun _ => Nat × Bool) (0, false) (fun _ p => if p.2 then (p.1 + 1, false) else (p.1, true)) n).1 + (if (Nat.rec (motive := fun _ => Nat × Bool) (0, false) (fun _ p => if p.2 then (p.1 + 1, false) else (p.1, true)) n).2 then 1 else 0) = n := by
    intro n
    induction n with
    | zero => rfl
    | succ n ih =>
      simp only
      revert ih
      generalize (Nat.rec (motive := fun _ => Nat × Bool) (0, false) (fun _ p => if p.2 then (p.1 + 1, false) else (p.1, true)) n) = q
      intro ih
      split <;> simp_all <;> omega
  have := this n
  unfold half
  split at this <;> omega
