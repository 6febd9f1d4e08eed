namespace MaxOf

/-- Largest element of a list, `none` for the empty list. -/
def maxOf (xs : List Nat) : Option Nat :=
  match xs with
  | [] => none
  | x :: rest => some (rest.foldr max x)

theorem maxOf_nil : maxOf [] = none := rfl

theorem maxOf_some (xs : List Nat) (h : xs ≠ []) :
    ∃ m, maxOf xs = some m ∧ m ∈ xs ∧ ∀ x, x ∈ xs → x ≤ m := by
  match xs, h with
  | x :: rest, _ =>
    refine ⟨rest.foldr max x, rfl, ?_, ?_⟩
    · induction rest with
      | nil => simp
      | cons y ys ih =>
        have ih := ih (by simp)
        simp only [List.foldr_cons, Nat.max_def]
        split
        · simp only [List.mem_cons] at ih ⊢
          rcases ih with ih | ih
          · exact .inl ih
          · exact .inr (.inr ih)
        · simp
    · intro z hz
      induction rest with
      | nil => simp at hz; simp [hz]
      | cons y ys ih =>
        simp only [List.foldr_cons]
        simp only [List.mem_cons] at hz ih
        have ih := ih (by simp)
        rcases hz with hz | hz | hz
        · exact Nat.le_trans (ih (.inl hz)) (Nat.le_max_right _ _)
        · subst hz; exact Nat.le_max_left _ _
        · exact Nat.le_trans (ih (.inr hz)) (Nat.le_max_right _ _)

end MaxOf
