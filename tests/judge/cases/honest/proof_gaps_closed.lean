def count (n : Nat) : Nat := if h : n = 0 then 0 else 1 + count (n - 1)
termination_by n
decreasing_by omega

def last (n : Nat) (h : 0 < n) : Fin n := ⟨n - 1, by omega⟩

theorem count_eq (n : Nat) : count n = n := by
  induction n with
  | zero => unfold count; simp
  | succ n ih => unfold count; simp [ih]; omega

theorem last_val (n : Nat) (h : 0 < n) : (last n h).val + 1 = n := by
  simp only [last]
  omega
