namespace Partition

def go {α : Type} (p : α → Bool) : List α → List α → List α → List α × List α
  | [], yes, no => (yes.reverse, no.reverse)
  | x :: xs, yes, no => if p x then go p xs (x :: yes) no else go p xs yes (x :: no)

def partition {α : Type} (p : α → Bool) (xs : List α) : List α × List α := go p xs [] []

theorem go_eq {α : Type} (p : α → Bool) (xs yes no : List α) :
    go p xs yes no = (yes.reverse ++ xs.filter p, no.reverse ++ xs.filter (fun x => !p x)) := by
  induction xs generalizing yes no with
  | nil => simp [go]
  | cons x xs ih => cases h : p x <;> simp [go, h, ih]

theorem partition_eq_filter {α : Type} (p : α → Bool) (xs : List α) :
    partition p xs = (xs.filter p, xs.filter (fun x => !p x)) := by
  simp [partition, go_eq]

theorem partition_perm {α : Type} (p : α → Bool) (xs : List α) :
    ((partition p xs).1 ++ (partition p xs).2).Perm xs := by
  rw [partition_eq_filter]
  induction xs with
  | nil => exact .refl _
  | cons x xs ih =>
    cases h : p x
    · simp only [List.filter_cons, h]
      exact List.perm_middle.trans (ih.cons x)
    · simp only [List.filter_cons, h]
      exact ih.cons x

theorem partition_sublist {α : Type} (p : α → Bool) (xs : List α) :
    (partition p xs).1.Sublist xs ∧ (partition p xs).2.Sublist xs := by
  rw [partition_eq_filter]
  exact ⟨List.filter_sublist, List.filter_sublist⟩

end Partition
