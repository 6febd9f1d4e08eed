theorem pigeonhole (n : Nat) (xs : List Nat) (hd : xs.Pairwise (· ≠ ·))
    (hb : ∀ x, x ∈ xs → x < n) : xs.length ≤ n := by
  induction n generalizing xs with
  | zero =>
    cases xs with
    | nil => exact Nat.le_refl 0
    | cons x xs => exact absurd (hb x (by simp)) (Nat.not_lt_zero x)
  | succ n ih =>
    by_cases hn : n ∈ xs
    · have hlen : (xs.erase n).length ≤ n := by
        refine ih _ (hd.sublist (List.erase_sublist ..)) ?_
        intro x hx
        have hx' := (List.Nodup.mem_erase_iff (show xs.Nodup from hd)).mp hx
        have := hb x hx'.2
        have := hx'.1
        omega
      rw [List.length_erase_of_mem hn] at hlen
      omega
    · refine Nat.le_succ_of_le (ih xs hd ?_)
      intro x hx
      have hne : x ≠ n := fun e => hn (e ▸ hx)
      have := hb x hx
      omega
