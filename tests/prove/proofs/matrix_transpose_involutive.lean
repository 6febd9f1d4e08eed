namespace Transpose

/-- A matrix as the list of its rows; the number of columns is given, for there may be no row. -/
def transpose {α : Type} (cols : Nat) : List (List α) → List (List α)
  | [] => List.replicate cols []
  | row :: rows => List.zipWith List.cons row (transpose cols rows)

def IsMatrix {α : Type} (rows cols : Nat) (m : List (List α)) : Prop :=
  m.length = rows ∧ ∀ row, row ∈ m → row.length = cols

theorem zipWith_shape {α : Type} (n : Nat) (row : List α) (m : List (List α))
    (h : row.length = m.length) (hm : ∀ r, r ∈ m → r.length = n) :
    IsMatrix m.length (n + 1) (List.zipWith List.cons row m) := by
  induction row generalizing m with
  | nil =>
    cases m with
    | nil => exact ⟨rfl, by simp⟩
    | cons r m => simp at h
  | cons a row ih =>
    cases m with
    | nil => simp at h
    | cons r m =>
      have := ih m (by simpa using h) (fun r hr => hm r (List.mem_cons_of_mem _ hr))
      refine ⟨by simpa using this.1, fun s hs => ?_⟩
      simp only [List.zipWith_cons_cons, List.mem_cons] at hs
      rcases hs with rfl | hs
      · simp [hm r (by simp)]
      · exact this.2 s hs

theorem transpose_zipWith {α : Type} (n : Nat) (row : List α) (m : List (List α))
    (h : row.length = m.length) :
    transpose (n + 1) (List.zipWith List.cons row m) = row :: transpose n m := by
  induction row generalizing m with
  | nil =>
    cases m with
    | nil => simp [transpose, List.replicate_succ]
    | cons r m => simp at h
  | cons a row ih =>
    cases m with
    | nil => simp at h
    | cons r m => simp [transpose, ih m (by simpa using h)]

theorem transpose_shape {α : Type} (rows cols : Nat) (m : List (List α))
    (h : IsMatrix rows cols m) : IsMatrix cols rows (transpose cols m) := by
  obtain ⟨rfl, h⟩ := h
  induction m with
  | nil => simp [transpose, IsMatrix]
  | cons row m ih =>
    have shape := ih (fun r hr => h r (List.mem_cons_of_mem _ hr))
    have := zipWith_shape m.length row (transpose cols m) (by rw [h row (by simp), shape.1]) shape.2
    rw [shape.1] at this
    exact this

theorem transpose_transpose {α : Type} (rows cols : Nat) (m : List (List α))
    (h : IsMatrix rows cols m) : transpose rows (transpose cols m) = m := by
  obtain ⟨rfl, h⟩ := h
  induction m with
  | nil => cases cols <;> simp [transpose, List.replicate_succ]
  | cons row m ih =>
    have tail : ∀ r, r ∈ m → r.length = cols := fun r hr => h r (List.mem_cons_of_mem _ hr)
    have shape := transpose_shape m.length cols m ⟨rfl, tail⟩
    have := transpose_zipWith m.length row (transpose cols m) (by rw [h row (by simp), shape.1])
    rw [ih tail] at this
    exact this

end Transpose
