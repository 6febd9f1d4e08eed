namespace GreedyChange

/-- How many coins of 4, 3 and 1 are given, always the largest that fits. -/
def greedy (n : Nat) : Nat :=
  if n = 0 then 0
  else if 4 ≤ n then greedy (n - 4) + 1
  else if 3 ≤ n then greedy (n - 3) + 1
  else greedy (n - 1) + 1
termination_by n

theorem not_greedy_best : ¬ ∀ (n a b c : Nat) (h : 4 * a + 3 * b + c = n),
    greedy n ≤ a + b + c := by
  intro h
  have six : greedy 6 = 3 := by simp [greedy]
  have := h 6 0 2 0 rfl
  omega

end GreedyChange
