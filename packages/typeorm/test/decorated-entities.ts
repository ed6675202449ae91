import {
  ChildEntity,
  Column,
  DeleteDateColumn,
  Entity,
  JoinTable,
  ManyToMany,
  ManyToOne,
  PrimaryGeneratedColumn,
  TableInheritance,
  Tree,
  TreeChildren,
  TreeParent,
  VersionColumn,
} from 'typeorm';
import { Audited, NotAudited } from '../src/index.js';

const reversed = {
  to: (value: string | null | undefined) =>
    typeof value === 'string' ? [...value].reverse().join('') : value,
  from: (value: string | null | undefined) =>
    typeof value === 'string' ? [...value].reverse().join('') : value,
};

export class Address {
  @Column('varchar', { nullable: true })
  city?: string | null;

  @NotAudited()
  @Column('varchar', { nullable: true })
  door?: string | null;
}

@Entity()
export class Ward {
  @PrimaryGeneratedColumn()
  id!: number;

  @Column('varchar')
  name!: string;
}

@Entity()
@Audited({ exclude: ['notes', 'past'] })
export class Patient {
  @PrimaryGeneratedColumn()
  id!: number;

  @Column('varchar', { name: 'full_name' })
  name!: string;

  @Column('varchar', { nullable: true })
  notes?: string | null;

  @NotAudited()
  @Column('varchar', { nullable: true })
  draft?: string | null;

  @Column('varchar', { nullable: true, select: false })
  hint?: string | null;

  @Column('varchar', { nullable: true, transformer: reversed })
  code?: string | null;

  @Column('int', { default: 0 })
  visits!: number;

  @Column(() => Address)
  address!: Address;

  @Column(() => Address)
  past!: Address;

  @ManyToOne(() => Ward, { nullable: true })
  ward?: Ward | null;

  @ManyToMany(() => Ward)
  @JoinTable()
  seen!: Ward[];

  @DeleteDateColumn({ precision: 3 })
  gone?: Date | null;

  @VersionColumn()
  version!: number;
}

@Entity()
@NotAudited()
export class Session {
  @PrimaryGeneratedColumn()
  id!: number;

  @Column('varchar')
  token!: string;
}

@Entity()
@TableInheritance({ column: { type: 'varchar', name: 'kind' } })
export class Staff {
  @PrimaryGeneratedColumn()
  id!: number;

  @Column('varchar')
  name!: string;
}

@ChildEntity()
export class Nurse extends Staff {
  @Column('varchar', { nullable: true })
  shift?: string | null;
}

@ChildEntity()
@NotAudited()
export class Doctor extends Staff {
  @Column('varchar', { nullable: true })
  pager?: string | null;
}

@Entity()
@Tree('closure-table')
export class Category {
  @PrimaryGeneratedColumn()
  id!: number;

  @Column('varchar')
  name!: string;

  @TreeChildren()
  children!: Category[];

  @TreeParent()
  parent?: Category | null;
}

@Entity()
@Tree('nested-set')
export class Place {
  @PrimaryGeneratedColumn()
  id!: number;

  @Column('varchar')
  name!: string;

  @TreeChildren()
  children!: Place[];

  @TreeParent()
  parent?: Place | null;
}

@Entity()
@Tree('materialized-path')
export class Folder {
  @PrimaryGeneratedColumn()
  id!: number;

  @Column('varchar')
  name!: string;

  @TreeChildren()
  children!: Folder[];

  @TreeParent()
  parent?: Folder | null;
}

export const DECORATED = [Ward, Patient, Session, Staff, Nurse, Doctor, Category, Place, Folder];
