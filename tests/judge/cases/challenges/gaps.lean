def count (n : Nat) : Nat := if h : n = 0 then 0 else 1 + count (n - 1)
termination_by n
decreasing_by sorry

def last (n : Nat) (h : 0 < n) : Fin n := ⟨n - 1, sorry⟩

theorem count_eq (n : Nat) : count n = n := sorry

theorem last_val (n : Nat) (h : 0 < n) : (last n h).val + 1 = n := sorry
