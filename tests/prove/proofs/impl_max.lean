namespace MaxOf

/-- Largest element of a list, `none` for the empty list. -/
def maxOf (xs : List Nat) : Option Nat :=
  match xs with
  | [] => none
  | x :: rest =>
    match maxOf rest with
    | none => some x
    | some m => some (max x m)

theorem maxOf_nil : maxOf [] = none := by
  rfl

theorem maxOf_some (xs : List Nat) (h : xs ≠ []) :
    ∃ m, maxOf xs = some m ∧ m ∈ xs ∧ ∀ x, x ∈ xs → x ≤ m := by
  induction xs with
  | nil => exact absurd rfl h
  | cons x rest ih =>
    cases rest with
    | nil => exact ⟨x, by simp [maxOf], by simp, by simp⟩
    | cons y ys =>
      obtain ⟨m, hm, hin, hle⟩ := ih (by simp)
      refine ⟨max x m, by rw [maxOf]; simp only [hm], ?_, ?_⟩
      · rcases Nat.le_total x m with h | h
        · rw [Nat.max_eq_right h]
          exact List.mem_cons_of_mem _ hin
        · rw [Nat.max_eq_left h]
          simp
      · intro z hz
        rcases List.mem_cons.mp hz with rfl | hz
        · exact Nat.le_max_left _ _
        · exact Nat.le_trans (hle z hz) (Nat.le_max_right _ _)

end MaxOf
