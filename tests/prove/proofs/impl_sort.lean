namespace ImplSort

def insert (x : Int) : List Int → List Int
  | [] => [x]
  | y :: ys => if x ≤ y then x :: y :: ys else y :: insert x ys

/-- Sort in non-decreasing order. -/
def sort (xs : List Int) : List Int :=
  match xs with
  | [] => []
  | x :: rest => insert x (sort rest)

theorem insert_perm (x : Int) (ys : List Int) : (insert x ys).Perm (x :: ys) := by
  induction ys with
  | nil => simp [insert]
  | cons y ys ih =>
    by_cases h : x ≤ y
    · simp [insert, h]
    · simp only [insert, if_neg h]
      exact (ih.cons y).trans (.swap x y ys)

theorem insert_sorted (x : Int) (ys : List Int) (h : ys.Pairwise (· ≤ ·)) :
    (insert x ys).Pairwise (· ≤ ·) := by
  induction ys with
  | nil => simp [insert]
  | cons y ys ih =>
    have h' := List.pairwise_cons.mp h
    by_cases hxy : x ≤ y
    · simp only [insert, if_pos hxy]
      refine List.pairwise_cons.mpr ⟨?_, h⟩
      intro z hz
      rcases List.mem_cons.mp hz with rfl | hz
      · exact hxy
      · exact Int.le_trans hxy (h'.1 z hz)
    · simp only [insert, if_neg hxy]
      refine List.pairwise_cons.mpr ⟨?_, ih h'.2⟩
      intro z hz
      rcases List.mem_cons.mp ((insert_perm x ys).mem_iff.mp hz) with rfl | hz
      · omega
      · exact h'.1 z hz

theorem sort_sorted (xs : List Int) : (sort xs).Pairwise (· ≤ ·) := by
  induction xs with
  | nil => exact List.Pairwise.nil
  | cons x rest ih => exact insert_sorted x _ ih

theorem sort_perm (xs : List Int) : (sort xs).Perm xs := by
  induction xs with
  | nil => exact .refl _
  | cons x rest ih => exact (insert_perm x _).trans (ih.cons x)

end ImplSort
