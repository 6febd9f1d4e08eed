namespace Dedup

/-- Remove duplicates. -/
def dedup (xs : List Nat) : List Nat :=
  match xs with
  | [] => []
  | x :: rest => if x ∈ rest then dedup rest else x :: dedup rest

theorem mem_dedup (x : Nat) (xs : List Nat) : x ∈ dedup xs ↔ x ∈ xs := by
  induction xs with
  | nil => rfl
  | cons y rest ih =>
    by_cases h : y ∈ rest
    · rw [dedup, if_pos h, ih, List.mem_cons]
      constructor
      · exact Or.inr
      · intro hx
        rcases hx with rfl | hx
        · exact h
        · exact hx
    · rw [dedup, if_neg h, List.mem_cons, List.mem_cons, ih]

theorem nodup_dedup (xs : List Nat) : (dedup xs).Pairwise (· ≠ ·) := by
  induction xs with
  | nil => exact List.Pairwise.nil
  | cons y rest ih =>
    by_cases h : y ∈ rest
    · rwa [dedup, if_pos h]
    · rw [dedup, if_neg h]
      refine List.pairwise_cons.mpr ⟨?_, ih⟩
      intro z hz hyz
      exact h (hyz ▸ (mem_dedup z rest).mp hz)

end Dedup
