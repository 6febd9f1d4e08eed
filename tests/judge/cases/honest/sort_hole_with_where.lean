theorem Sorted_cons_helper : True := trivial

def Sorted : List Nat → Prop
  | [] => True
  | [_] => True
  | a :: b :: rest => a ≤ b ∧ Sorted (b :: rest)

def isort (xs : List Nat) : List Nat := xs.foldr insert []
where
  insert (a : Nat) : List Nat → List Nat
    | [] => [a]
    | b :: rest => if a ≤ b then a :: b :: rest else b :: insert a rest

theorem insert_sorted (a : Nat) (xs : List Nat) (h : Sorted xs) : Sorted (isort.insert a xs) := by
  induction xs with
  | nil => simp [isort.insert, Sorted]
  | cons b rest ih =>
    simp only [isort.insert]
    split
    · exact ⟨by omega, h⟩
    · cases rest with
      | nil => simp [isort.insert, Sorted]; omega
      | cons c rest =>
        have := ih h.2
        simp only [isort.insert] at this ⊢
        split
        · simp_all [Sorted]; omega
        · simp_all [Sorted]

theorem isort_sorted (xs : List Nat) : Sorted (isort xs) := by
  unfold isort
  induction xs with
  | nil => simp [Sorted]
  | cons a xs ih => exact insert_sorted a _ ih

theorem insert_length (a : Nat) (xs : List Nat) : (isort.insert a xs).length = xs.length + 1 := by
  induction xs with
  | nil => rfl
  | cons b rest ih => simp only [isort.insert]; split <;> simp [ih]

theorem isort_length (xs : List Nat) : (isort xs).length = xs.length := by
  unfold isort
  induction xs with
  | nil => rfl
  | cons a xs ih => simp [insert_length, ih]
