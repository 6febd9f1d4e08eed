namespace Span

/-- Longest prefix satisfying `p`, and the rest. -/
def span {α : Type} (p : α → Bool) (xs : List α) : List α × List α :=
  match xs with
  | [] => ([], [])
  | x :: rest =>
    if p x then
      let r := span p rest
      (x :: r.1, r.2)
    else ([], x :: rest)

theorem span_append {α : Type} (p : α → Bool) (xs : List α) :
    (span p xs).1 ++ (span p xs).2 = xs := by
  induction xs with
  | nil => rfl
  | cons x rest ih => by_cases h : p x = true <;> simp [span, h, ih]

theorem span_all {α : Type} (p : α → Bool) (xs : List α) :
    ∀ x, x ∈ (span p xs).1 → p x = true := by
  induction xs with
  | nil => simp [span]
  | cons x rest ih =>
    by_cases h : p x = true
    · simp only [span, h, if_true]
      intro z hz
      rcases List.mem_cons.mp hz with rfl | hz
      · exact h
      · exact ih z hz
    · simp [span, h]

theorem span_stop {α : Type} (p : α → Bool) (xs : List α) (y : α) (ys : List α)
    (h : (span p xs).2 = y :: ys) : p y = false := by
  induction xs with
  | nil => simp [span] at h
  | cons x rest ih =>
    by_cases hx : p x = true
    · simp only [span, hx, if_true] at h
      exact ih h
    · simp [span, hx] at h
      obtain ⟨rfl, rfl⟩ := h
      simpa using hx

end Span
