namespace Queue

structure Q (α : Type) where
  front : List α
  back : List α

def empty {α : Type} : Q α := ⟨[], []⟩

def enqueue {α : Type} (x : α) (q : Q α) : Q α := ⟨q.front, x :: q.back⟩

def dequeue {α : Type} (q : Q α) : Option (α × Q α) :=
  match q.front with
  | x :: f => some (x, ⟨f, q.back⟩)
  | [] =>
    match q.back.reverse with
    | [] => none
    | x :: f => some (x, ⟨f, []⟩)

def toList {α : Type} (q : Q α) : List α := q.front ++ q.back.reverse

theorem toList_enqueue {α : Type} (x : α) (q : Q α) :
    toList (enqueue x q) = toList q ++ [x] := by
  simp [toList, enqueue]

theorem dequeue_none {α : Type} (q : Q α) : dequeue q = none ↔ toList q = [] := by
  obtain ⟨f, b⟩ := q
  cases f with
  | cons x f => simp [dequeue, toList]
  | nil =>
    simp only [dequeue, toList, List.nil_append]
    cases b.reverse <;> simp

theorem dequeue_some {α : Type} (q q' : Q α) (x : α) (h : dequeue q = some (x, q')) :
    toList q = x :: toList q' := by
  obtain ⟨f, b⟩ := q
  cases f with
  | cons y f =>
    simp only [dequeue, Option.some.injEq, Prod.mk.injEq] at h
    obtain ⟨rfl, rfl⟩ := h
    rfl
  | nil =>
    simp only [dequeue] at h
    cases hb : b.reverse with
    | nil =>
      rw [hb] at h
      cases h
    | cons y ys =>
      rw [hb] at h
      cases h
      simp [toList, hb]

end Queue
