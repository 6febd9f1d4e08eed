namespace Partition

def go {α : Type} (p : α → Bool) : List α → List α → List α → List α × List α
  | [], yes, no => (yes.reverse, no.reverse)
  | x :: xs, yes, no => if p x then go p xs (x :: yes) no else go p xs yes (x :: no)

def partition {α : Type} (p : α → Bool) (xs : List α) : List α × List α := go p xs [] []

theorem partition_eq_filter {α : Type} (p : α → Bool) (xs : List α) :
    partition p xs = (xs.filter p, xs.filter (fun x => !p x)) := sorry

theorem partition_perm {α : Type} (p : α → Bool) (xs : List α) :
    ((partition p xs).1 ++ (partition p xs).2).Perm xs := sorry

theorem partition_sublist {α : Type} (p : α → Bool) (xs : List α) :
    (partition p xs).1.Sublist xs ∧ (partition p xs).2.Sublist xs := sorry

end Partition
