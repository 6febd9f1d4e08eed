def helper {α : Type} (xs : List α) : Nat := match xs with
  | [] => 0
  | _ :: _ => 1

inductive Vec (α : Type) : Nat → Type where
  | nil : Vec α 0
  | cons {n : Nat} (a : α) (v : Vec α n) : Vec α (n + 1)

def Vec.len {α : Type} {n : Nat} : Vec α n → Nat
  | .nil => 0
  | .cons _ v => v.len + 1

def Vec.toList {α : Type} {n : Nat} : Vec α n → List α
  | .nil => []
  | .cons a v => a :: v.toList

theorem Vec.toList_length {α : Type} {n : Nat} (v : Vec α n) : v.toList.length = n := by
  induction v with
  | nil => rfl
  | cons a v ih => simp [Vec.toList, ih]
