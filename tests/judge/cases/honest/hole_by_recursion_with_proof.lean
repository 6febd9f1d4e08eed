def half (n : Nat) : Nat :=
  if h : n < 2 then 0 else half (n - 2) + 1
termination_by n
decreasing_by omega

theorem half_spec (n : Nat) : 2 * half n = n ∨ 2 * half n + 1 = n := by
  induction n using Nat.strongRecOn with
  | _ n ih =>
    unfold half
    split
    · omega
    · have := ih (n - 2) (by omega)
      omega
